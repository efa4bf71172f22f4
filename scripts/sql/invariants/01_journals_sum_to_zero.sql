-- The postings of every journal sum to zero per commodity, and there are some.
SELECT j.id AS journal_id, p.commodity, sum(p.amount) AS sum
FROM account.journals AS j LEFT JOIN account.postings AS p ON p.journal_id = j.id
GROUP BY j.id, p.commodity
HAVING sum(p.amount) IS DISTINCT FROM 0;
