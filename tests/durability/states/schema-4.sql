BEGIN TRANSACTION;
CREATE TABLE instances (
            key INTEGER PRIMARY KEY,
            workflow TEXT NOT NULL,
            id TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            modified_at INTEGER NOT NULL,
            wake_at INTEGER, place INTEGER, expires_at INTEGER,
            UNIQUE (workflow, id)
        ) STRICT;
INSERT INTO "instances" VALUES(1,'order','complete','complete',1767225600000,1767225600000,NULL,NULL,1767830400000);
INSERT INTO "instances" VALUES(2,'order','asleep','waiting',1767225600010,1767225600010,1767225660010,NULL,NULL);
INSERT INTO "instances" VALUES(3,'order','retried','waiting',1767225600020,1767225600020,1767225660020,NULL,NULL);
INSERT INTO "instances" VALUES(4,'approval','waiting','waiting',1767225600030,1767225600030,1798761600030,NULL,NULL);
INSERT INTO "instances" VALUES(5,'approval','paused','paused',1767225600040,1767225600070,NULL,NULL,NULL);
INSERT INTO "instances" VALUES(6,'approval','terminated','terminated',1767225600050,1767225600070,NULL,NULL,1767830400070);
INSERT INTO "instances" VALUES(7,'refused','errored','errored',1767225600060,1767225600060,NULL,NULL,1767830400060);
CREATE TABLE journal (
            instance INTEGER NOT NULL REFERENCES instances (key) ON DELETE CASCADE,
            seq INTEGER NOT NULL,
            time INTEGER NOT NULL,
            type TEXT NOT NULL,
            step TEXT,
            data TEXT NOT NULL,
            value TEXT,
            PRIMARY KEY (instance, seq)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "journal" VALUES(1,1,1767225600000,'workflow_queued',NULL,'{"timestamp":1767225600000,"trigger":"binding"}','{"item":"complete"}');
INSERT INTO "journal" VALUES(1,2,1767225600000,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(1,3,1767225600000,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(1,4,1767225600000,'step_started','first-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:10"}',NULL);
INSERT INTO "journal" VALUES(1,5,1767225600000,'attempt_started','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,6,1767225600000,'attempt_completed','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,7,1767225600000,'step_completed','first-1','{}','{"item":"complete","count":3}');
INSERT INTO "journal" VALUES(1,8,1767225600000,'step_started','flaky-1','{"config":{"retries":{"limit":3,"delay":"1 minute","backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:17"}',NULL);
INSERT INTO "journal" VALUES(1,9,1767225600000,'attempt_started','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,10,1767225600000,'attempt_completed','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,11,1767225600000,'step_completed','flaky-1','{}','1');
INSERT INTO "journal" VALUES(1,12,1767225600000,'step_started','last-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:20"}',NULL);
INSERT INTO "journal" VALUES(1,13,1767225600000,'attempt_started','last-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,14,1767225600000,'attempt_completed','last-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,15,1767225600000,'step_completed','last-1','{}','"done"');
INSERT INTO "journal" VALUES(1,16,1767225600000,'workflow_completed',NULL,'{}','["complete",1,"done"]');
INSERT INTO "journal" VALUES(2,1,1767225600010,'workflow_queued',NULL,'{"timestamp":1767225600010,"trigger":"binding"}','{"item":"asleep"}');
INSERT INTO "journal" VALUES(2,2,1767225600010,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(2,3,1767225600010,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(2,4,1767225600010,'step_started','first-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:10"}',NULL);
INSERT INTO "journal" VALUES(2,5,1767225600010,'attempt_started','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(2,6,1767225600010,'attempt_completed','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(2,7,1767225600010,'step_completed','first-1','{}','{"item":"asleep","count":3}');
INSERT INTO "journal" VALUES(2,8,1767225600010,'step_started','flaky-1','{"config":{"retries":{"limit":3,"delay":"1 minute","backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:17"}',NULL);
INSERT INTO "journal" VALUES(2,9,1767225600010,'attempt_started','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(2,10,1767225600010,'attempt_completed','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(2,11,1767225600010,'step_completed','flaky-1','{}','1');
INSERT INTO "journal" VALUES(2,12,1767225600010,'sleep_started','nap-1','{"durationMs":60000.0,"until":1767225660010.0,"at":"entry.py:19"}',NULL);
INSERT INTO "journal" VALUES(3,1,1767225600020,'workflow_queued',NULL,'{"timestamp":1767225600020,"trigger":"binding"}','{"item":"retried"}');
INSERT INTO "journal" VALUES(3,2,1767225600020,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(3,3,1767225600020,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(3,4,1767225600020,'step_started','first-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:10"}',NULL);
INSERT INTO "journal" VALUES(3,5,1767225600020,'attempt_started','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(3,6,1767225600020,'attempt_completed','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(3,7,1767225600020,'step_completed','first-1','{}','{"item":"retried","count":3}');
INSERT INTO "journal" VALUES(3,8,1767225600020,'step_started','flaky-1','{"config":{"retries":{"limit":3,"delay":"1 minute","backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:17"}',NULL);
INSERT INTO "journal" VALUES(3,9,1767225600020,'attempt_started','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(3,10,1767225600020,'attempt_errored','flaky-1','{"attempt":1,"error":{"name":"ValueError","message":"not yet","traceback":"Traceback (most recent call last):\n  File \"entry.py\", line 14, in flaky\n    raise ValueError(\"not yet\")\nValueError: not yet"},"retryDelayMs":60000.0}',NULL);
INSERT INTO "journal" VALUES(4,1,1767225600030,'workflow_queued',NULL,'{"timestamp":1767225600030,"trigger":"binding"}','{"item":"waiting"}');
INSERT INTO "journal" VALUES(4,2,1767225600030,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(4,3,1767225600030,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(4,4,1767225600030,'wait_started','approval-1','{"eventType":"approval","until":1798761600030.0,"timeoutMs":31536000000.0,"at":"entry.py:25"}',NULL);
INSERT INTO "journal" VALUES(5,1,1767225600040,'workflow_queued',NULL,'{"timestamp":1767225600040,"trigger":"binding"}','{"item":"paused"}');
INSERT INTO "journal" VALUES(5,2,1767225600040,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(5,3,1767225600040,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(5,4,1767225600040,'wait_started','approval-1','{"eventType":"approval","until":1798761600040.0,"timeoutMs":31536000000.0,"at":"entry.py:25"}',NULL);
INSERT INTO "journal" VALUES(5,5,1767225600070,'workflow_waiting_for_pause',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(5,6,1767225600070,'workflow_paused',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(6,1,1767225600050,'workflow_queued',NULL,'{"timestamp":1767225600050,"trigger":"binding"}','{"item":"terminated"}');
INSERT INTO "journal" VALUES(6,2,1767225600050,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(6,3,1767225600050,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(6,4,1767225600050,'wait_started','approval-1','{"eventType":"approval","until":1798761600050.0,"timeoutMs":31536000000.0,"at":"entry.py:25"}',NULL);
INSERT INTO "journal" VALUES(6,5,1767225600070,'workflow_terminated',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(7,1,1767225600060,'workflow_queued',NULL,'{"timestamp":1767225600060,"trigger":"binding"}','{"item":"errored"}');
INSERT INTO "journal" VALUES(7,2,1767225600060,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(7,3,1767225600060,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(7,4,1767225600060,'step_started','reserve-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:31","rollback":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"}}',NULL);
INSERT INTO "journal" VALUES(7,5,1767225600060,'attempt_started','reserve-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(7,6,1767225600060,'attempt_completed','reserve-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(7,7,1767225600060,'step_completed','reserve-1','{}','"r1"');
INSERT INTO "journal" VALUES(7,8,1767225600060,'rollback_started',NULL,'{"error":{"name":"ValueError","message":"refused","traceback":"Traceback (most recent call last):\n  File \"entry.py\", line 32, in run\n    raise ValueError(\"refused\")\nValueError: refused"},"ending":"errored"}',NULL);
INSERT INTO "journal" VALUES(7,9,1767225600060,'rollback_step_started','reserve-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"}}',NULL);
INSERT INTO "journal" VALUES(7,10,1767225600060,'rollback_attempt_started','reserve-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(7,11,1767225600060,'rollback_attempt_completed','reserve-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(7,12,1767225600060,'rollback_step_completed','reserve-1','{}','null');
INSERT INTO "journal" VALUES(7,13,1767225600060,'rollback_completed',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(7,14,1767225600060,'workflow_errored',NULL,'{"error":{"name":"ValueError","message":"refused","traceback":"Traceback (most recent call last):\n  File \"entry.py\", line 32, in run\n    raise ValueError(\"refused\")\nValueError: refused"}}',NULL);
CREATE TABLE stream_chunks (
            instance INTEGER NOT NULL REFERENCES instances (key) ON DELETE CASCADE,
            step TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            number INTEGER NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (instance, step, attempt, number)
        ) STRICT;
CREATE INDEX instances_by_wake ON instances (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX instances_by_status ON instances (workflow, status, created_at);
CREATE INDEX instances_by_expiry ON instances (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX instances_kept ON instances (workflow) WHERE expires_at IS NULL AND status IN ('complete', 'errored', 'terminated');
CREATE INDEX instances_by_creation ON instances (workflow, created_at);
COMMIT;
PRAGMA application_id = 1667659622;
PRAGMA user_version = 4;
