-- No journal settles before it was traded, and every fill settles on a later day than it was traded.
SELECT id AS journal_id, kind, trade_date, settle_date
FROM account.journals
WHERE settle_date < trade_date OR (kind = 'fill' AND settle_date = trade_date);
