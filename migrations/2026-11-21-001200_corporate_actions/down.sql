DROP TABLE portfolio.splits;
DROP TABLE portfolio.corporate_applications;
DROP TABLE portfolio.corporate_actions;
