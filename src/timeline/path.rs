//! The longest chain: steps of which each is an input of the next, and whose work took
//! more time together than that of any other such chain.

use super::model::{State, Step};
use super::time::Span;

/// Indices of the chain's steps, first to last; those that came from the cache are left
/// out, because there was nothing to wait for.
pub(super) fn longest(steps: &[Step]) -> Vec<usize> {
    let chains = chains(steps);
    let better = |a: &usize, b: &usize| {
        let key = |index: usize| (chains[index].length, usize::MAX - index);
        key(*a).cmp(&key(*b))
    };
    let last = (0..steps.len()).max_by(better);
    let mut path = Vec::new();
    let mut next = last;
    while let Some(index) = next {
        path.push(index);
        next = chains[index].input;
    }
    path.retain(|index| steps[*index].state != State::Cached);
    path.reverse();
    path
}

/// The longest chain that ends with a step.
#[derive(Clone, Copy, Default)]
struct Chain {
    length: Span,
    input: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Not,
    Begun,
    Done,
}

/// Walks inputs depth-first, without recursion. A graph has no cycles; an input that
/// would close one is not followed.
fn chains(steps: &[Step]) -> Vec<Chain> {
    let mut chains = vec![Chain::default(); steps.len()];
    let mut visits = vec![Visit::Not; steps.len()];
    for root in 0..steps.len() {
        let mut stack = vec![(root, 0)];
        while let Some((index, position)) = stack.pop() {
            if position == 0 {
                if visits[index] != Visit::Not {
                    continue;
                }
                visits[index] = Visit::Begun;
            }
            if let Some(input) = steps[index].inputs.get(position) {
                stack.push((index, position + 1));
                stack.push((*input, 0));
                continue;
            }
            let inputs = steps[index].inputs.iter().copied();
            let done = inputs.filter(|input| visits[*input] == Visit::Done);
            let input = done.max_by_key(|input| (chains[*input].length, usize::MAX - input));
            let before = input.map_or(0, |input| chains[input].length);
            chains[index] = Chain {
                length: before.saturating_add(steps[index].worked()),
                input,
            };
            visits[index] = Visit::Done;
        }
    }
    chains
}
