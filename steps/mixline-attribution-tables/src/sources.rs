//! Channel and campaign of a touch, as one number.

use rustc_hash::FxHashMap;

/// Pairs of channel and campaign, in the order they were first met.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    names: Vec<(String, String)>,
    ids: FxHashMap<String, FxHashMap<String, u32>>,
}

impl Sources {
    /// The number of a pair, taken in when it is new.
    pub fn intern(&mut self, channel: &str, campaign: &str) -> u32 {
        if let Some(&id) = self.ids.get(channel).and_then(|ids| ids.get(campaign)) {
            return id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push((channel.to_owned(), campaign.to_owned()));
        self.ids
            .entry(channel.to_owned())
            .or_default()
            .insert(campaign.to_owned(), id);
        id
    }

    /// Channel and campaign of a number; empty for one of other sources.
    #[must_use]
    pub fn name(&self, id: u32) -> (&str, &str) {
        self.names
            .get(id as usize)
            .map_or(("", ""), |(channel, campaign)| (channel, campaign))
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
