"""The fencing tokens, and the trigger that lets a delivery take only the edges there are."""

EDGES = """
    'queued>claimed',
    'claimed>queued', 'claimed>sending', 'claimed>suppressed', 'claimed>skipped',
    'sending>sent', 'sending>queued', 'sending>failed', 'sending>unknown',
    'unknown>sent', 'unknown>failed', 'unknown>queued'
"""

FORWARD = f"""
CREATE SEQUENCE campaigns_delivery_lease_seq AS bigint;

CREATE FUNCTION campaigns_delivery_no_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'a delivery begins as queued, not as %', NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'delivery % cannot go from % to %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER campaigns_delivery_begins BEFORE INSERT ON campaigns_delivery
    FOR EACH ROW WHEN (NEW.state <> 'queued') EXECUTE FUNCTION campaigns_delivery_no_edge();

CREATE TRIGGER campaigns_delivery_goes_on BEFORE UPDATE ON campaigns_delivery
    FOR EACH ROW WHEN (
        OLD.state IS DISTINCT FROM NEW.state AND (OLD.state || '>' || NEW.state) <> ALL (ARRAY[{EDGES}])
    ) EXECUTE FUNCTION campaigns_delivery_no_edge();
"""

BACKWARD = """
DROP TRIGGER campaigns_delivery_goes_on ON campaigns_delivery;
DROP TRIGGER campaigns_delivery_begins ON campaigns_delivery;
DROP FUNCTION campaigns_delivery_no_edge();
DROP SEQUENCE campaigns_delivery_lease_seq;
"""
