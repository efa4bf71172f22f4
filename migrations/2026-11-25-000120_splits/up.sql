-- A broker tells of a split in two lines: the shares of before go, those of after come.
ALTER TABLE broker.activities DROP CONSTRAINT activities_kind_check,
    ADD CONSTRAINT activities_kind_check CHECK
        (kind IN ('dividend', 'withholding', 'fee', 'interest', 'transfer', 'split', 'shares', 'other'));
