//! How often a DC has asked a DP in the last minute.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use ofp_types::{DcId, DpId};

const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// The times of the requests of the last minute, by DC and DP: as many as are registered.
#[derive(Default)]
pub(crate) struct Rates(HashMap<(DcId, DpId), VecDeque<Timestamp>>);

impl Rates {
    /// Counts a request, or says after how many seconds one will be taken again.
    pub(crate) fn take(
        &mut self,
        dc: &DcId,
        dp: &DpId,
        limit: u32,
        now: Timestamp,
    ) -> Result<(), i64> {
        let times = self.0.entry((dc.clone(), dp.clone())).or_default();
        while times.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= limit as usize => {
                let rest = WINDOW - now.duration_since(*first);
                Err(rest.as_secs() + 1)
            }
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let (dc, dp) = (DcId::parse("dc").unwrap(), DpId::parse("dp").unwrap());
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut rates = Rates::default();
        assert_eq!(rates.take(&dc, &dp, 2, at(0)), Ok(()));
        assert_eq!(rates.take(&dc, &dp, 2, at(30)), Ok(()));
        assert_eq!(rates.take(&dc, &dp, 2, at(50)), Err(11), "ten seconds and a bit");
        assert_eq!(rates.take(&dc, &DpId::parse("other").unwrap(), 2, at(50)), Ok(()));
        assert_eq!(rates.take(&dc, &dp, 2, at(61)), Ok(()));
    }
}
