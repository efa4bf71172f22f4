-- An ideal order that has met no price yet gets the first one, at its limit or better; one that rests gets its limit. Which of the
-- two it is has to outlast the process. What is open now counts as resting, as it was taken to.
ALTER TABLE broker.simulator_orders ADD COLUMN waits_for_price boolean NOT NULL DEFAULT false;
