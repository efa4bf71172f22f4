UPDATE broker.activities SET kind = 'shares' WHERE kind = 'split';
ALTER TABLE broker.activities DROP CONSTRAINT activities_kind_check,
    ADD CONSTRAINT activities_kind_check CHECK
        (kind IN ('dividend', 'withholding', 'fee', 'interest', 'transfer', 'shares', 'other'));
