DROP TABLE market.corporate_actions;
DROP TABLE market.action_lists;
