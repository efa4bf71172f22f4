-- What the sentence about an incident needs, by name: the page says it in its reader's language. Older ones have their words alone.
ALTER TABLE trading.incidents ADD COLUMN facts jsonb NOT NULL DEFAULT '{}';
-- Why a comparison failed, in one word.
ALTER TABLE trading.reconciliations ADD COLUMN failure text;
