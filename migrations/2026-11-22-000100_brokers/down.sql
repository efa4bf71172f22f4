DROP INDEX broker.order_links_of_order;
ALTER TABLE broker.order_links ADD CONSTRAINT order_links_order_id_key UNIQUE (order_id);
DROP TABLE broker.sent_orders;
DROP TABLE broker.openings;
DROP TABLE broker.credentials;
DROP INDEX broker.accounts_broker_number;
ALTER TABLE broker.accounts DROP COLUMN broker_number,
    DROP CONSTRAINT accounts_broker_check,
    ADD CONSTRAINT accounts_broker_check CHECK (broker IN ('simulator'));
ALTER TABLE account.accounts DROP CONSTRAINT accounts_broker_check,
    ADD CONSTRAINT accounts_broker_check CHECK (broker IN ('simulator'));
