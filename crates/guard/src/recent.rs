//! A map that forgets, so that no flood of keys grows the memory.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// What was put in lately. When the younger generation is full it becomes the older one, and the
/// older one is forgotten: at least `N` of the newest entries are there, at most twice as many.
pub(crate) struct Recent<K, V, const N: usize> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V, const N: usize> Recent<K, V, N> {
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// For a change in place, where it is young: the older one has to be put in again to stay.
    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.young.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.young.insert(key, value);
        if self.young.len() >= N {
            self.old = mem::take(&mut self.young);
        }
    }
}

impl<K, V, const N: usize> Default for Recent<K, V, N> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn the_newest_are_kept_and_the_rest_forgotten() {
        let mut recent = Recent::<u32, u32, 10>::default();
        for n in 0..1000 {
            recent.insert(n, n);
            // Whoever keeps coming stays.
            recent.insert(0, n);
            assert!(recent.young.len() + recent.old.len() <= 20);
            assert_eq!((recent.get(&n), recent.get(&0)), (Some(&n), Some(&n)));
        }
        assert_eq!(recent.get(&900), None);
    }
}
