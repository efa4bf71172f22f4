DROP TABLE broker.sent_replaces;
DROP TABLE broker.execution_spans;
