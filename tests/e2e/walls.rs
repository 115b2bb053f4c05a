//! Walls between repositories on one builder: an attacker's and a victim's on one daemon, each
//! way from one to the other tried, and none works.

mod clones;
mod ground;
mod owners;
mod sources;
mod specs;
mod steps;
