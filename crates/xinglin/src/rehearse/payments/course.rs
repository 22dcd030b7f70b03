//! What the day's payers do: drawn by a seed, so that the same seed gives the same day.

use domain::Currency;
use domain::payment::GatewayName;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};

/// How an order's payments go; it promises the order's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Course {
    /// Paid, called and held.
    Held,
    /// Paid, and cancelled in the queue: 90 % go back.
    Cancelled,
    /// Paid, and still waiting when the doctor closes the session: everything goes back.
    SentHome,
    /// The payment fails, and the payer gives up.
    Fails,
    /// The payment fails, and another one is paid; then held.
    FailsThenPays,
    /// The payer leaves without a word.
    Leaves,
    /// Cancelled when the money was on its way.
    CancelledPaying,
    /// Another amount was paid.
    WrongAmount,
    /// The payment fails, another one is paid, and then the first one as well, if its gateway takes it.
    PaidTwice,
    /// The refund is recorded as paid by hand, and the gateway pays it too.
    HandToo,
    /// The refund is under way until after the reconciliation.
    UnderWay,
    /// The payer's card can't take the refund; the gateway pays it elsewhere after the reconciliation.
    DeadCard,
    /// A complaint after the end is refused.
    Refused,
    /// The refund is asked for before midnight and made after it.
    OverMidnight,
}

impl Course {
    /// The odd ones, once each, at the end of the day.
    pub const ODD: [Self; 5] = [
        Self::HandToo,
        Self::UnderWay,
        Self::DeadCard,
        Self::Refused,
        Self::OverMidnight,
    ];

    /// So many payments its order has.
    pub const fn payments(self) -> usize {
        match self {
            Self::FailsThenPays | Self::PaidTwice => 2,
            Self::Held
            | Self::Cancelled
            | Self::SentHome
            | Self::Fails
            | Self::Leaves
            | Self::CancelledPaying
            | Self::WrongAmount
            | Self::HandToo
            | Self::UnderWay
            | Self::DeadCard
            | Self::Refused
            | Self::OverMidnight => 1,
        }
    }

    /// Whether the order is paid as it should be, and waits in the queue then.
    pub const fn queues(self) -> bool {
        match self {
            Self::Held
            | Self::Cancelled
            | Self::SentHome
            | Self::FailsThenPays
            | Self::PaidTwice
            | Self::HandToo
            | Self::UnderWay
            | Self::DeadCard
            | Self::Refused
            | Self::OverMidnight => true,
            Self::Fails | Self::Leaves | Self::CancelledPaying | Self::WrongAmount => false,
        }
    }

    /// Whether the doctor sees the patient.
    pub const fn is_held(self) -> bool {
        matches!(
            self,
            Self::Held | Self::FailsThenPays | Self::PaidTwice | Self::Refused
        )
    }

    /// Whether the first payment fails.
    pub const fn fails_first(self) -> bool {
        matches!(self, Self::Fails | Self::FailsThenPays | Self::PaidTwice)
    }
}

/// A way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Over which gateway.
    pub gateway: GatewayName,
    /// How.
    pub method: &'static str,
}

/// The gateways, how many of twenty payments go over each, and its ways to pay.
const GATEWAYS: [(GatewayName, usize, &[&str]); 5] = [
    (GatewayName::WECHAT, 6, &["native", "jsapi", "h5"]),
    (GatewayName::ALIPAY, 5, &["page", "wap", "precreate"]),
    (GatewayName::UNIONPAY, 3, &["front"]),
    (GatewayName::PAYPAL, 3, &["checkout"]),
    (GatewayName::STRIPE, 3, &["card"]),
];

/// All gateways that are played, in the order of the report.
pub fn gateways() -> impl Iterator<Item = GatewayName> {
    GATEWAYS.iter().map(|(name, ..)| *name)
}

/// What a gateway takes here.
pub fn currency(gateway: GatewayName) -> Currency {
    if gateway == GatewayName::PAYPAL || gateway == GatewayName::STRIPE {
        Currency::NZD
    } else {
        Currency::CNY
    }
}

/// How the gateway tells of a payment.
pub const CALLBACKS: [&str; 5] = ["once", "never", "twice", "late", "bad_signature"];

/// What one payer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What.
    pub course: Course,
    /// How the first payment is made.
    pub first: Way,
    /// How the second one is made, if there is one.
    pub second: Way,
    /// How the gateway tells of it.
    pub callback: &'static str,
}

/// Of twenty payers of a gateway, so many take each course.
const DECK: [(Course, usize); 9] = [
    (Course::Held, 8),
    (Course::Cancelled, 4),
    (Course::SentHome, 2),
    (Course::Fails, 1),
    (Course::FailsThenPays, 1),
    (Course::Leaves, 1),
    (Course::CancelledPaying, 1),
    (Course::WrongAmount, 1),
    (Course::PaidTwice, 1),
];

/// Draws from decks that are shuffled whenever they are used up, so that a short day has everything.
struct Decks {
    chance: SmallRng,
    gateways: Vec<usize>,
    courses: BTreeMap<usize, Vec<Course>>,
}

impl Decks {
    fn gateway(&mut self) -> usize {
        if let Some(next) = self.gateways.pop() {
            return next;
        }
        let all = GATEWAYS.iter().enumerate();
        let mut deck: Vec<usize> = all
            .flat_map(|(at, (_, many, _))| std::iter::repeat_n(at, *many))
            .collect();
        deck.shuffle(&mut self.chance);
        self.gateways = deck;
        self.gateways.pop().unwrap_or(0)
    }

    fn course(&mut self, gateway: usize) -> Course {
        let deck = self.courses.entry(gateway).or_default();
        if deck.is_empty() {
            let all = DECK.iter();
            *deck = all
                .flat_map(|(course, many)| std::iter::repeat_n(*course, *many))
                .collect();
            deck.shuffle(&mut self.chance);
        }
        deck.pop().unwrap_or(Course::Held)
    }

    fn way(&mut self, gateway: usize) -> Way {
        let (name, _, methods) = GATEWAYS[gateway % GATEWAYS.len()];
        let method = methods[self.chance.random_range(0..methods.len())];
        Way {
            gateway: name,
            method,
        }
    }

    /// Any way to pay the same currency.
    fn another(&mut self, first: Way) -> Way {
        let takes = |(_, (name, ..)): &(usize, &(GatewayName, usize, &[&str]))| {
            currency(*name) == currency(first.gateway)
        };
        let all: Vec<usize> = GATEWAYS
            .iter()
            .enumerate()
            .filter(takes)
            .map(|(at, _)| at)
            .collect();
        let at = all[self.chance.random_range(0..all.len())];
        self.way(at)
    }

    fn draft(&mut self, gateway: usize, course: Course) -> Draft {
        let first = self.way(gateway);
        let callback = match self.chance.random_range(0..10) {
            at @ 1..=4 => CALLBACKS[at],
            _ => CALLBACKS[0],
        };
        Draft {
            course,
            first,
            second: self.another(first),
            callback,
        }
    }
}

/// The payers of a day with exactly so many payments, the odd ones last.
pub fn draw(payments: usize, seed: u64) -> Vec<Draft> {
    let mut decks = Decks {
        chance: SmallRng::seed_from_u64(seed),
        gateways: Vec::new(),
        courses: BTreeMap::new(),
    };
    let mut left = payments.saturating_sub(Course::ODD.len());
    let mut drafts = Vec::new();
    while left > 0 {
        let gateway = decks.gateway();
        let drawn = decks.course(gateway);
        let course = if drawn.payments() > left {
            Course::Held
        } else {
            drawn
        };
        left -= course.payments();
        drafts.push(decks.draft(gateway, course));
    }
    // WeChat alone has refunds that a card can't take.
    let odd = Course::ODD.map(|course| Draft {
        callback: CALLBACKS[0],
        ..decks.draft(0, course)
    });
    drafts.extend(odd);
    drafts
}

/// What goes wrong at a gateway during a wave, beside what chance does to single payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    Calm,
    /// It can't be reached for ten minutes.
    Down(GatewayName),
    /// It refuses refunds for a minute.
    RefusesRefunds(GatewayName),
    /// Its refunds take their time.
    RefundsHang(GatewayName),
    /// It makes refunds and does not tell.
    RefundsUntold(GatewayName),
    /// It closes payments and does not tell.
    ClosesUntold(GatewayName),
    /// It fetches approved money and does not tell.
    CapturesUntold(GatewayName),
    /// Its notices get lost.
    DropsCallbacks(GatewayName),
}

/// The weather of each wave: in the middle of the day each gateway is down once.
pub fn weather(waves: usize, seed: u64) -> Vec<Weather> {
    let mut chance = SmallRng::seed_from_u64(seed.wrapping_add(1));
    let mut down: VecDeque<GatewayName> = gateways().collect();
    let noon = (waves / 2).saturating_sub(2);
    let names: Vec<GatewayName> = gateways().collect();
    (0..waves)
        .map(|wave| {
            let at = names[chance.random_range(0..names.len())];
            let drawn = chance.random_range(0..7);
            if wave + 1 == waves {
                return Weather::Calm;
            }
            if wave >= noon
                && let Some(next) = down.pop_front()
            {
                return Weather::Down(next);
            }
            match drawn {
                0 => Weather::RefusesRefunds(at),
                1 => Weather::RefundsHang(at),
                2 => Weather::RefundsUntold(at),
                3 => Weather::ClosesUntold(at),
                4 => Weather::CapturesUntold(GatewayName::PAYPAL),
                5 => Weather::DropsCallbacks(at),
                _ => Weather::Calm,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_day_of_exactly_so_many_payments() {
        for count in [150, 151, 5_000] {
            let drafts = draw(count, 7);
            assert_eq!(drafts, draw(count, 7));
            assert_ne!(drafts, draw(count, 8));
            let payments: usize = drafts.iter().map(|draft| draft.course.payments()).sum();
            assert_eq!(payments, count);
        }
        assert_eq!(weather(50, 7), weather(50, 7));
    }

    #[test]
    fn a_short_day_has_every_course_at_every_gateway_and_every_gateway_down_once() {
        let drafts = draw(300, 7);
        for gateway in gateways() {
            for (course, _) in DECK {
                let is_it = |d: &&Draft| d.first.gateway == gateway && d.course == course;
                assert!(drafts.iter().any(|d| is_it(&d)), "{gateway} {course:?}");
            }
            let down = Weather::Down(gateway);
            let times = weather(12, 7).iter().filter(|one| **one == down).count();
            assert_eq!(times, 1, "{gateway}");
        }
        for course in Course::ODD {
            assert_eq!(drafts.iter().filter(|d| d.course == course).count(), 1);
        }
        let currencies = |d: &Draft| (currency(d.first.gateway), currency(d.second.gateway));
        assert!(drafts.iter().map(currencies).all(|(one, two)| one == two));
    }
}
