-- What is held never exceeds what is there, for cash and for shares, unless the broker took what nobody had held for or did what a person was told of.
-- Where the owner has switched credit on, that may be so of dollars; where short selling is on, of American shares.
SELECT b.account_id, b.commodity, b.total, b.held, b.total - b.held AS free
FROM account.balances AS b JOIN account.accounts AS a ON a.id = b.account_id
WHERE b.held < 0
    OR (b.total - b.held < 0 AND NOT (a.margin AND b.commodity = 'USD')
        AND NOT (a.short_selling AND b.commodity <> 'KRW' AND b.commodity NOT LIKE '%.%') AND NOT EXISTS (SELECT FROM trading.incidents AS i WHERE i.account_id = b.account_id
        AND i.kind IN ('overfill', 'late_fill', 'fill_of_refused_order', 'oversold', 'trade_canceled', 'trade_corrected',
            'external_order', 'broker_difference'))
        -- Fees, taxes and transfers of the broker's own.
        AND NOT EXISTS (SELECT FROM account.journals AS j WHERE j.account_id = b.account_id
            AND starts_with(j.idempotency_key, 'activity:')));
