-- The account statement: every posting that changes what an account has, in the order of booking, each with what there
-- was after it. It follows from the postings and is written with them, whoever writes them, so that a page of it costs
-- the same at any depth.

CREATE TABLE account.statement_lines (
    account_id     uuid NOT NULL,
    -- From 1 without gaps. Movements of one account are decided one after another under its lock, so nobody draws the
    -- same number; who books without the lock is refused by the key.
    sequence       bigint NOT NULL,
    journal_id     uuid NOT NULL,
    line           smallint NOT NULL,
    -- The journal's, or the line's before where the clock went back: it never falls.
    booked_at      timestamptz NOT NULL,
    kind           text NOT NULL,
    ledger_account text NOT NULL,
    symbol         text,
    commodity      text NOT NULL,
    amount         numeric(28, 9) NOT NULL,
    -- What the account has of the commodity after this line, what is still to be settled included.
    balance        numeric(28, 9) NOT NULL,
    PRIMARY KEY (account_id, sequence)
);
CREATE INDEX statement_of_commodity ON account.statement_lines (account_id, commodity, sequence);
CREATE INDEX statement_by_time ON account.statement_lines (account_id, booked_at, sequence);
-- Trades and their settlements are most of a statement; what stands between them is found without reading them.
CREATE INDEX statement_of_kind ON account.statement_lines (account_id, kind, sequence)
    WHERE kind NOT IN ('fill', 'settlement');

-- Every plan of this function keeps to indexes: it is kept, and may have been made while the tables were empty.
CREATE FUNCTION account.write_statement() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO account.statement_lines
        (account_id, sequence, journal_id, line, booked_at, kind, ledger_account, symbol, commodity, amount, balance)
    SELECT p.account_id,
        coalesce(last.sequence, 0) + row_number() OVER booking,
        p.journal_id, p.line,
        max(greatest(j.created_at, last.booked_at)) OVER booking,
        j.kind, p.ledger_account, p.symbol, p.commodity, p.amount,
        coalesce(last_of_commodity.balance, 0) + sum(p.amount) OVER (
            PARTITION BY p.account_id, p.commodity ORDER BY j.created_at, p.journal_id, p.line)
    FROM new_postings AS p
    JOIN account.journals AS j ON j.id = p.journal_id
    LEFT JOIN LATERAL (SELECT s.sequence, s.booked_at FROM account.statement_lines AS s
        WHERE s.account_id = p.account_id ORDER BY s.sequence DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (SELECT s.balance FROM account.statement_lines AS s
        WHERE s.account_id = p.account_id AND s.commodity = p.commodity ORDER BY s.sequence DESC LIMIT 1)
        AS last_of_commodity ON true
    WHERE p.ledger_account IN ('cash', 'receivable', 'payable', 'shares')
    WINDOW booking AS (PARTITION BY p.account_id ORDER BY j.created_at, p.journal_id, p.line);
    RETURN NULL;
END
$$;
CREATE TRIGGER postings_write_the_statement AFTER INSERT ON account.postings
    REFERENCING NEW TABLE AS new_postings FOR EACH STATEMENT EXECUTE FUNCTION account.write_statement();

-- What was booked until now.
INSERT INTO account.statement_lines
    (account_id, sequence, journal_id, line, booked_at, kind, ledger_account, symbol, commodity, amount, balance)
SELECT p.account_id, row_number() OVER booking, p.journal_id, p.line, max(j.created_at) OVER booking, j.kind,
    p.ledger_account, p.symbol, p.commodity, p.amount,
    sum(p.amount) OVER (PARTITION BY p.account_id, p.commodity ORDER BY j.created_at, p.journal_id, p.line)
FROM account.postings AS p JOIN account.journals AS j ON j.id = p.journal_id
WHERE p.ledger_account IN ('cash', 'receivable', 'payable', 'shares')
WINDOW booking AS (PARTITION BY p.account_id ORDER BY j.created_at, p.journal_id, p.line);

CREATE TRIGGER statement_is_append_only BEFORE UPDATE OR DELETE ON account.statement_lines
    FOR EACH ROW EXECUTE FUNCTION account.refuse_change();
CREATE TRIGGER statement_is_never_truncated BEFORE TRUNCATE ON account.statement_lines
    FOR EACH STATEMENT EXECUTE FUNCTION account.refuse_change();
