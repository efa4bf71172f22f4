\set purse random(1, :naccts)
\set quantity random(1, 100)
\set price random(1000, 50000)
\set instrument random(1, 100)
WITH locked AS MATERIALIZED (SELECT id FROM purse WHERE id = :purse AND money - reserved >= :quantity::numeric * :price FOR UPDATE), made AS (INSERT INTO instruction (purse_id, client_key, instrument, quantity, limit_price) SELECT id, gen_random_uuid(), :instrument, :quantity, :price FROM locked RETURNING id), held AS (UPDATE purse SET reserved = reserved + :quantity::numeric * :price WHERE id = :purse AND EXISTS (SELECT 1 FROM made)) INSERT INTO to_send (instruction_id, document) SELECT id, jsonb_build_object('id', id, 'instrument', :instrument::int, 'quantity', :quantity::int, 'price', :price::int) FROM made;
