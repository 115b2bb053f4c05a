//! A typed builder for LLB.
