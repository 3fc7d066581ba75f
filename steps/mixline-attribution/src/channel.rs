//! Channels as small numbers, so that journeys are compact and states can be compared quickly.

use std::collections::HashMap;

/// A channel of some [`Channels`]: its position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u32);

impl ChannelId {
    /// The position in lists that have one entry per channel.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Names of channels in the order they were first met.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Channels {
    names: Vec<String>,
    ids: HashMap<String, ChannelId>,
}

impl Channels {
    /// No channels yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The channel of this name, taken in when it is new.
    pub fn intern(&mut self, name: &str) -> ChannelId {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = ChannelId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// The channel of this name, when it was met.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ChannelId> {
        self.ids.get(name).copied()
    }

    /// The name of a channel; empty for one of other [`Channels`].
    #[must_use]
    pub fn name(&self, id: ChannelId) -> &str {
        self.names.get(id.index()).map_or("", String::as_str)
    }

    /// All names, in the order of ids.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All channels.
    pub fn ids(&self) -> impl Iterator<Item = ChannelId> + use<> {
        (0..u32::try_from(self.names.len()).unwrap_or(u32::MAX)).map(ChannelId)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl<S: AsRef<str>> FromIterator<S> for Channels {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut channels = Self::new();
        for name in names {
            channels.intern(name.as_ref());
        }
        channels
    }
}
