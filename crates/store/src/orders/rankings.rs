//! Why doctors were asked: an order's offers, and a day's.

use super::encode::Rest;
use crate::db::Read;
use crate::row::{Cells, Row};
use crate::{RankingsAfter, Store, StoreError};
use domain::consultation::ranking::Ranking;
use domain::consultation::replay::PastOffer;
use domain::{OrderId, Ts};

const OF_ORDER: &str = "SELECT attempt, at, complaint, weights, doctor_id, candidates, candidate_count \
     FROM dispatch_rankings WHERE order_id = $1 ORDER BY attempt";
/// Which statuses have no doctor's hands: back in 200, or at an end.
const BETWEEN: &str = "SELECT r.order_id, r.version, r.attempt, c.rest, \
     (SELECT MIN(j.at) FROM journal j WHERE j.order_id = r.order_id AND j.version > r.version \
     AND j.to_status IN (200, 502, 900, 901, 902)), \
     r.at, r.complaint, r.weights, r.doctor_id, r.candidates, r.candidate_count \
     FROM dispatch_rankings r JOIN consultations c ON c.order_id = r.order_id \
     WHERE (r.at, r.order_id, r.version) > ($1, $2, $3) AND r.at < $4 \
     ORDER BY r.at, r.order_id, r.version LIMIT $5";
const FIRST_AND_LAST: &str = "SELECT MIN(at), MAX(at) FROM dispatch_rankings";

impl Store {
    /// Why the order's doctors were asked, by the number of the offer, from 1. Offers made before
    /// this was kept have none.
    pub async fn rankings(&self, order: OrderId) -> Result<Vec<(usize, Ranking)>, StoreError> {
        let rows = self
            .db()
            .all(Read::Keyed, OF_ORDER, vec![order.into()])
            .await?;
        let numbered = |row: &Row| {
            let mut cells = row.cells();
            let attempt: i64 = cells.int()?;
            let attempt = usize::try_from(attempt).unwrap_or(0);
            Ok((attempt, ranking(&mut cells)?))
        };
        rows.iter().map(numbered).collect()
    }

    /// The next offers before `until`, oldest first, and where those after them begin.
    pub async fn past_offers(
        &self,
        after: RankingsAfter,
        until: Ts,
        limit: u32,
    ) -> Result<(Vec<PastOffer>, RankingsAfter), StoreError> {
        let values = vec![
            after.at.into(),
            after.order.into(),
            after.version.into(),
            until.into(),
            limit.into(),
        ];
        let rows = self.db().all(Read::List, BETWEEN, values).await?;
        let mut last = after;
        let mut offers = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut cells = row.cells();
            let (order, version): (OrderId, i64) = (cells.id()?, cells.int()?);
            let attempt: i64 = cells.int()?;
            let rest: Rest = cells.json()?;
            let released_at = cells.at_or_none()?;
            let ranking = ranking(&mut cells)?;
            let place = usize::try_from(attempt - 1).unwrap_or(usize::MAX);
            last = RankingsAfter {
                at: ranking.at,
                order,
                version,
            };
            offers.push(PastOffer {
                order,
                ranking,
                released_at,
                end: rest.assignments.get(place).and_then(|offer| offer.end),
            });
        }
        Ok((offers, last))
    }

    /// When the first and the last offer was made of which it is known why.
    pub async fn first_and_last_ranking(&self) -> Result<Option<(Ts, Ts)>, StoreError> {
        let row = self
            .db()
            .one(Read::List, FIRST_AND_LAST, Vec::new())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut cells = row.cells();
        Ok(cells.at_or_none()?.zip(cells.at_or_none()?))
    }
}

fn ranking(cells: &mut Cells<'_>) -> Result<Ranking, StoreError> {
    Ok(Ranking {
        at: cells.at()?,
        complaint: cells.text()?,
        weights: cells.json()?,
        chosen: cells.id()?,
        candidates: cells.json()?,
        count: cells.int()?,
    })
}
