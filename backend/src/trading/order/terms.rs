//! What an order is to do, and how that changes. Pure.

use super::Order;
use domain::broker::ReplaceRequest;
use domain::inquiry::OpenReplace;
use domain::{Price, Pricing, Quantity, ReplaceId};
use rust_decimal::Decimal;

/// What an order is to do, and what that can cost at worst. A replace changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTerms {
    /// How many shares in total, what is filled included.
    pub quantity: Quantity,
    /// At which price.
    pub pricing: Pricing,
    /// The worst price it can be executed at; unknown only for orders denied for want of a price.
    pub worst_price: Option<Price>,
    /// The most it can cost in commission and tax.
    pub fees_max: Decimal,
}

/// New terms that the broker has been asked for and has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replacement {
    /// The request.
    pub id: ReplaceId,
    /// The terms.
    pub terms: OrderTerms,
}

/// What an order was before its terms were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Its first terms.
    pub terms: OrderTerms,
    /// The requests that have taken effect, oldest first.
    pub replaced_by: Vec<ReplaceId>,
}

impl Order {
    /// Its terms at present.
    #[must_use]
    pub const fn terms(&self) -> OrderTerms {
        OrderTerms {
            quantity: self.quantity,
            pricing: self.pricing,
            worst_price: self.worst_price,
            fees_max: self.fees_max,
        }
    }

    pub(super) fn set_terms(&mut self, terms: OrderTerms) {
        self.quantity = terms.quantity;
        self.pricing = terms.pricing;
        self.worst_price = terms.worst_price;
        self.fees_max = terms.fees_max;
    }

    /// Gives it the terms of a request. What is filled is done: a smaller quantity than that becomes that.
    pub(in crate::trading) fn replace_terms(&mut self, id: ReplaceId, terms: OrderTerms) {
        let present = self.terms();
        let original =
            self.original.get_or_insert_with(|| Original { terms: present, replaced_by: Vec::new() });
        original.replaced_by.push(id);
        let filled = Quantity::new(self.filled_quantity).unwrap_or(terms.quantity);
        self.set_terms(OrderTerms { quantity: terms.quantity.max(filled), ..terms });
        self.replacing = self.replacing.take().filter(|replacing| replacing.id != id);
    }

    /// Whether a request has taken effect.
    pub(in crate::trading) fn was_replaced_by(&self, id: ReplaceId) -> bool {
        self.original.as_ref().is_some_and(|original| original.replaced_by.contains(&id))
    }

    /// The request for other terms that nobody has answered, beside the order without it.
    #[must_use]
    pub(in crate::trading) fn open_replace(&self) -> Option<OpenReplace> {
        let Replacement { id, terms } = self.replacing?;
        let fields = terms.pricing.fields();
        let asked = ReplaceRequest {
            replace_id: id,
            order_id: self.id,
            quantity: terms.quantity,
            limit_price: fields.limit_price,
            stop_price: fields.stop_price,
            trail_amount: fields.trail_amount,
            trail_percent: fields.trail_percent,
            protection_price: terms.worst_price.filter(|_| fields.limit_price.is_none()),
        };
        Some(OpenReplace { present: self.description()?, asked })
    }
}
