//! Protocol types of BuildKit.
