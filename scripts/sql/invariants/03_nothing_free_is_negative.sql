-- What is held never exceeds what is there, for cash and for shares.
SELECT account_id, commodity, total, held, total - held AS free
FROM account.balances
WHERE held < 0 OR total - held < 0;
