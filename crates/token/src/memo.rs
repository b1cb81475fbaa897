//! A place for what others remember about a thing.

use std::any::Any;
use std::sync::OnceLock;

/// At most one value of each type that a program asks for, never changed and never taken away.
#[derive(Default)]
pub(crate) struct Memo {
    first: Link,
}

type Link = OnceLock<Box<Node>>;

struct Node {
    value: Box<dyn Any + Send + Sync>,
    next: Link,
}

impl Memo {
    /// The value of this type, made now if there is none.
    pub(crate) fn get_or_init<T: Any + Send + Sync>(&self, init: impl FnOnce() -> T) -> &T {
        let mut link = match find(&self.first) {
            Ok(value) => return value,
            Err(end) => end,
        };
        let mut fresh = Some(Box::new(Node { value: Box::new(init()), next: OnceLock::new() }));
        loop {
            // Somebody else may have been quicker, with this type or with another.
            fresh = fresh.take().and_then(|node| link.set(node).err());
            match find(link) {
                Ok(value) => return value,
                Err(end) => link = end,
            }
        }
    }
}

/// The value of a type, or the end of the chain where it belongs.
fn find<T: Any>(mut link: &Link) -> Result<&T, &Link> {
    while let Some(node) = link.get() {
        match node.value.downcast_ref() {
            Some(value) => return Ok(value),
            None => link = &node.next,
        }
    }
    Err(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_one_value() {
        let memo = Memo::default();
        assert_eq!(*memo.get_or_init(|| 1_u32), 1);
        assert_eq!(*memo.get_or_init(|| 2_u32), 1);
        assert_eq!(memo.get_or_init(|| "text".to_owned()), "text");
        assert_eq!(*memo.get_or_init(|| 3_u64), 3);
        assert_eq!(*memo.get_or_init(|| 4_u32), 1);
    }

    #[test]
    fn threads_agree_on_it() {
        for _ in 0..200 {
            let memo = Memo::default();
            let found: Vec<_> = std::thread::scope(|scope| {
                let memo = &memo;
                let narrow = move |at: u32| *memo.get_or_init(|| at);
                let wide = move |at: u32| *memo.get_or_init(|| u64::from(at));
                let each = |at: u32| {
                    scope.spawn(move || {
                        // Half of them begin with the one type, half with the other.
                        let first = if at < 2 { u64::from(narrow(at)) } else { wide(at) };
                        assert!(first < 4);
                        (narrow(at), wide(at))
                    })
                };
                let threads: Vec<_> = (0..4).map(each).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(found.iter().all(|both| *both == found[0]), "{found:?}");
        }
    }
}
