-- What is held never exceeds what is there, for cash and for shares, unless the broker did what nobody had held for and a person was told.
SELECT b.account_id, b.commodity, b.total, b.held, b.total - b.held AS free
FROM account.balances AS b
WHERE b.held < 0
    OR (b.total - b.held < 0 AND NOT EXISTS (SELECT FROM trading.incidents AS i WHERE i.account_id = b.account_id
        AND i.kind IN ('overfill', 'late_fill', 'fill_of_refused_order', 'oversold', 'trade_canceled', 'trade_corrected',
            'external_order', 'broker_difference')));
