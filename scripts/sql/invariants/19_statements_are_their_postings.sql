-- Every posting of cash, shares and what is to be settled is one line of its account's statement; lines are numbered
-- without a gap, their times never fall, and each balance is the one before and the line's amount.
SELECT coalesce(s.account_id, p.account_id) AS account_id, s.sequence, journal_id, line, s.amount, p.amount AS posted
FROM account.statement_lines AS s
FULL JOIN (SELECT journal_id, line, account_id, commodity, amount FROM account.postings
           WHERE ledger_account IN ('cash', 'receivable', 'payable', 'shares')) AS p USING (journal_id, line)
WHERE (s.account_id, s.commodity, s.amount) IS DISTINCT FROM (p.account_id, p.commodity, p.amount)
UNION ALL
SELECT account_id, sequence, journal_id, line, balance, expected_balance
FROM (SELECT account_id, sequence, journal_id, line, balance, booked_at,
        row_number() OVER booking AS expected_sequence, lag(booked_at) OVER booking AS booked_before,
        sum(amount) OVER (PARTITION BY account_id, commodity ORDER BY sequence) AS expected_balance
      FROM account.statement_lines
      WINDOW booking AS (PARTITION BY account_id ORDER BY sequence)) AS steps
WHERE sequence <> expected_sequence OR balance <> expected_balance OR booked_at < booked_before;
