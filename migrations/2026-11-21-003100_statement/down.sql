DROP TRIGGER postings_write_the_statement ON account.postings;
DROP FUNCTION account.write_statement();
DROP TABLE account.statement_lines;
