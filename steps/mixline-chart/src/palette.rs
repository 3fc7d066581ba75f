//! One colour for one channel, in every chart, in light and in dark.
//!
//! The first twelve colours start from sets made for colour-blind readers, darkened until each
//! has a contrast of at least 3 to 1 against the page; the others were chosen one after the
//! other to be as far as possible from all before them, as seen with full colour vision and with
//! the two common kinds of red-green blindness. Red is not among them: it means negative.

/// Background of the page in light.
pub const LIGHT: &str = "#ffffff";
/// Background of the page in dark.
pub const DARK: &str = "#15191e";

/// A colour in both themes, as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// On [`LIGHT`].
    pub light: &'static str,
    /// On [`DARK`].
    pub dark: &'static str,
}

/// Colours of channels, in the order in which they are given out.
pub const CHANNELS: [Colour; 24] = [
    Colour {
        light: "#0072b2",
        dark: "#5db6fb",
    },
    Colour {
        light: "#d55e00",
        dark: "#fea97e",
    },
    Colour {
        light: "#009e73",
        dark: "#60daac",
    },
    Colour {
        light: "#b8538f",
        dark: "#fc90cd",
    },
    Colour {
        light: "#a87700",
        dark: "#e7b357",
    },
    Colour {
        light: "#3a9bd1",
        dark: "#8bd1fd",
    },
    Colour {
        light: "#6d4a9c",
        dark: "#b390e9",
    },
    Colour {
        light: "#7d4b1e",
        dark: "#ca9366",
    },
    Colour {
        light: "#2b3f8c",
        dark: "#728ee3",
    },
    Colour {
        light: "#7d8a1e",
        dark: "#b8c762",
    },
    Colour {
        light: "#852553",
        dark: "#da739d",
    },
    Colour {
        light: "#0f6b66",
        dark: "#64b3ad",
    },
    Colour {
        light: "#690601",
        dark: "#c86455",
    },
    Colour {
        light: "#51155d",
        dark: "#a86ab6",
    },
    Colour {
        light: "#263b2a",
        dark: "#758d79",
    },
    Colour {
        light: "#564771",
        dark: "#a090bf",
    },
    Colour {
        light: "#3a167f",
        dark: "#8771de",
    },
    Colour {
        light: "#5a7ea3",
        dark: "#96bce4",
    },
    Colour {
        light: "#d97274",
        dark: "#feb5b4",
    },
    Colour {
        light: "#a54769",
        dark: "#ef89ab",
    },
    Colour {
        light: "#3f6948",
        dark: "#84b18c",
    },
    Colour {
        light: "#551c45",
        dark: "#ae6d99",
    },
    Colour {
        light: "#771732",
        dark: "#d26b7d",
    },
    Colour {
        light: "#337782",
        dark: "#77bac6",
    },
];

/// Which channel has which colour.
///
/// Made once per report from the ordered list of all channels and handed to every chart, so that
/// a chart of three of them colours them as a chart of all does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelColors {
    names: Vec<String>,
}

impl ChannelColors {
    /// Colours for channels in their order. From the 25th channel on, colours repeat.
    #[must_use]
    pub fn new<S: AsRef<str>>(channels: &[S]) -> Self {
        let mut names: Vec<String> = Vec::new();
        for name in channels.iter().map(AsRef::as_ref) {
            if !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        }
        Self { names }
    }

    /// Slot of a channel; `None` for a name that is no channel.
    #[must_use]
    pub fn slot(&self, channel: &str) -> Option<usize> {
        let place = self.names.iter().position(|n| n == channel)?;
        Some(place % CHANNELS.len())
    }

    /// Class of a channel in the stylesheet: `c3`; grey (`base`) for a name that is no channel.
    #[must_use]
    pub fn class(&self, channel: &str) -> String {
        self.slot(channel)
            .map_or_else(|| "base".to_owned(), |slot| format!("c{slot}"))
    }
}

/// Contrast of two colours written `#rrggbb` as accessibility guidelines define it, 1 to 21; NaN
/// when one cannot be read.
#[must_use]
pub fn contrast(one: &str, other: &str) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let byte = colour
            .get(at..at + 2)
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        let share = byte.map_or(f64::NAN, f64::from) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_can_be_seen() {
        for colour in CHANNELS {
            assert!(contrast(colour.light, LIGHT) >= 3.0, "{colour:?}");
            assert!(contrast(colour.dark, DARK) >= 3.0, "{colour:?}");
        }
    }

    #[test]
    fn no_colour_repeats() {
        for (i, a) in CHANNELS.iter().enumerate() {
            for b in &CHANNELS[i + 1..] {
                assert_ne!(a.light, b.light);
                assert_ne!(a.dark, b.dark);
            }
        }
    }

    #[test]
    fn a_channel_keeps_its_colour() {
        let colors = ChannelColors::new(&["Meta", "TV", "Meta", "Search"]);
        assert_eq!(colors.class("Search"), "c2");
        assert_eq!(colors.class("Baseline"), "base");
        let many: Vec<String> = (0..40).map(|i| format!("channel {i}")).collect();
        assert_eq!(ChannelColors::new(&many).class("channel 24"), "c0");
    }

    #[test]
    fn contrast_of_black_and_white() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        assert!(contrast("#zz", "#ffffff").is_nan());
    }
}
