-- The list holds as it is: what the migrations before it take away again, they take out of it.
SELECT 1;
