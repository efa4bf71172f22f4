DROP TABLE broker.simulator_markets;
