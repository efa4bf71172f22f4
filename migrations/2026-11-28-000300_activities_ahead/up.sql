-- Lines of `broker.activities` behind the cursor that the books have taken in already, because what is before them is another
-- account's and waits. The cursor passes them when that is done, and they are forgotten.
CREATE TABLE trading.activities_ahead (
    id bigint PRIMARY KEY REFERENCES broker.activities (id)
);
