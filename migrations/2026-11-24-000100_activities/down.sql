DROP TABLE trading.activity_cursor;
DROP TABLE broker.activity_readings;
DROP TABLE broker.activities;
