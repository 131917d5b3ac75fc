BEGIN TRANSACTION;
CREATE TABLE instances (
            key INTEGER PRIMARY KEY,
            workflow TEXT NOT NULL,
            id TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            modified_at INTEGER NOT NULL,
            wake_at INTEGER,
            UNIQUE (workflow, id)
        ) STRICT;
INSERT INTO "instances" VALUES(1,'order','complete','complete',1795382998972,1795382998977,NULL);
INSERT INTO "instances" VALUES(2,'order','asleep','waiting',1795382999276,1795382999279,1795383059278);
INSERT INTO "instances" VALUES(3,'order','retried','waiting',1795382999579,1795382999582,1795383059582);
INSERT INTO "instances" VALUES(4,'approval','waiting','waiting',1795382999882,1795382999884,1826918999882);
INSERT INTO "instances" VALUES(5,'approval','paused','paused',1795383000185,1795383000500,NULL);
INSERT INTO "instances" VALUES(6,'approval','terminated','terminated',1795383000803,1795383001108,NULL);
INSERT INTO "instances" VALUES(7,'refused','errored','errored',1795383001413,1795383001427,NULL);
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
INSERT INTO "journal" VALUES(1,1,1795382998972,'workflow_queued',NULL,'{"timestamp":1795382998972,"trigger":"binding"}','{"item":"complete"}');
INSERT INTO "journal" VALUES(1,2,1795382998972,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(1,3,1795382998972,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(1,4,1795382998973,'step_started','first-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:10"}',NULL);
INSERT INTO "journal" VALUES(1,5,1795382998973,'attempt_started','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,6,1795382998975,'attempt_completed','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,7,1795382998975,'step_completed','first-1','{}','{"item":"complete","count":3}');
INSERT INTO "journal" VALUES(1,8,1795382998975,'step_started','flaky-1','{"config":{"retries":{"limit":3,"delay":"1 minute","backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:17"}',NULL);
INSERT INTO "journal" VALUES(1,9,1795382998975,'attempt_started','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,10,1795382998976,'attempt_completed','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,11,1795382998976,'step_completed','flaky-1','{}','1');
INSERT INTO "journal" VALUES(1,12,1795382998976,'step_started','last-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:20"}',NULL);
INSERT INTO "journal" VALUES(1,13,1795382998976,'attempt_started','last-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,14,1795382998977,'attempt_completed','last-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(1,15,1795382998977,'step_completed','last-1','{}','"done"');
INSERT INTO "journal" VALUES(1,16,1795382998977,'workflow_completed',NULL,'{}','["complete",1,"done"]');
INSERT INTO "journal" VALUES(2,1,1795382999276,'workflow_queued',NULL,'{"timestamp":1795382999276,"trigger":"binding"}','{"item":"asleep"}');
INSERT INTO "journal" VALUES(2,2,1795382999277,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(2,3,1795382999277,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(2,4,1795382999277,'step_started','first-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:10"}',NULL);
INSERT INTO "journal" VALUES(2,5,1795382999277,'attempt_started','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(2,6,1795382999278,'attempt_completed','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(2,7,1795382999278,'step_completed','first-1','{}','{"item":"asleep","count":3}');
INSERT INTO "journal" VALUES(2,8,1795382999278,'step_started','flaky-1','{"config":{"retries":{"limit":3,"delay":"1 minute","backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:17"}',NULL);
INSERT INTO "journal" VALUES(2,9,1795382999278,'attempt_started','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(2,10,1795382999278,'attempt_completed','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(2,11,1795382999278,'step_completed','flaky-1','{}','1');
INSERT INTO "journal" VALUES(2,12,1795382999278,'sleep_started','nap-1','{"durationMs":60000.0,"until":1795383059278.0}',NULL);
INSERT INTO "journal" VALUES(3,1,1795382999579,'workflow_queued',NULL,'{"timestamp":1795382999579,"trigger":"binding"}','{"item":"retried"}');
INSERT INTO "journal" VALUES(3,2,1795382999579,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(3,3,1795382999579,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(3,4,1795382999580,'step_started','first-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:10"}',NULL);
INSERT INTO "journal" VALUES(3,5,1795382999580,'attempt_started','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(3,6,1795382999581,'attempt_completed','first-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(3,7,1795382999581,'step_completed','first-1','{}','{"item":"retried","count":3}');
INSERT INTO "journal" VALUES(3,8,1795382999581,'step_started','flaky-1','{"config":{"retries":{"limit":3,"delay":"1 minute","backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:17"}',NULL);
INSERT INTO "journal" VALUES(3,9,1795382999581,'attempt_started','flaky-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(3,10,1795382999582,'attempt_errored','flaky-1','{"attempt":1,"error":{"name":"ValueError","message":"not yet","traceback":"Traceback (most recent call last):\n  File \"entry.py\", line 14, in flaky\n    raise ValueError(\"not yet\")\nValueError: not yet"},"retryDelayMs":60000.0}',NULL);
INSERT INTO "journal" VALUES(4,1,1795382999882,'workflow_queued',NULL,'{"timestamp":1795382999882,"trigger":"binding"}','{"item":"waiting"}');
INSERT INTO "journal" VALUES(4,2,1795382999882,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(4,3,1795382999882,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(4,4,1795382999882,'wait_started','approval-1','{"eventType":"approval","until":1826918999882.0,"timeoutMs":31536000000.0}',NULL);
INSERT INTO "journal" VALUES(5,1,1795383000185,'workflow_queued',NULL,'{"timestamp":1795383000185,"trigger":"binding"}','{"item":"paused"}');
INSERT INTO "journal" VALUES(5,2,1795383000188,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(5,3,1795383000188,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(5,4,1795383000188,'wait_started','approval-1','{"eventType":"approval","until":1826919000188.0,"timeoutMs":31536000000.0}',NULL);
INSERT INTO "journal" VALUES(5,5,1795383000500,'workflow_waiting_for_pause',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(5,6,1795383000500,'workflow_paused',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(6,1,1795383000803,'workflow_queued',NULL,'{"timestamp":1795383000803,"trigger":"binding"}','{"item":"terminated"}');
INSERT INTO "journal" VALUES(6,2,1795383000805,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(6,3,1795383000805,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(6,4,1795383000805,'wait_started','approval-1','{"eventType":"approval","until":1826919000805.0,"timeoutMs":31536000000.0}',NULL);
INSERT INTO "journal" VALUES(6,5,1795383001108,'workflow_terminated',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(7,1,1795383001413,'workflow_queued',NULL,'{"timestamp":1795383001413,"trigger":"binding"}','{"item":"errored"}');
INSERT INTO "journal" VALUES(7,2,1795383001417,'workflow_started',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(7,3,1795383001417,'workflow_running',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(7,4,1795383001418,'step_started','reserve-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"},"at":"entry.py:31","rollback":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"}}',NULL);
INSERT INTO "journal" VALUES(7,5,1795383001418,'attempt_started','reserve-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(7,6,1795383001418,'attempt_completed','reserve-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(7,7,1795383001418,'step_completed','reserve-1','{}','"r1"');
INSERT INTO "journal" VALUES(7,8,1795383001419,'rollback_started',NULL,'{"error":{"name":"ValueError","message":"refused","traceback":"Traceback (most recent call last):\n  File \"entry.py\", line 32, in run\n    raise ValueError(\"refused\")\nValueError: refused"},"ending":"errored"}',NULL);
INSERT INTO "journal" VALUES(7,9,1795383001419,'rollback_step_started','reserve-1','{"config":{"retries":{"limit":5,"delay":10000,"backoff":"exponential"},"timeout":"10 minutes"}}',NULL);
INSERT INTO "journal" VALUES(7,10,1795383001419,'rollback_attempt_started','reserve-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(7,11,1795383001422,'rollback_attempt_completed','reserve-1','{"attempt":1}',NULL);
INSERT INTO "journal" VALUES(7,12,1795383001422,'rollback_step_completed','reserve-1','{}','null');
INSERT INTO "journal" VALUES(7,13,1795383001427,'rollback_completed',NULL,'{}',NULL);
INSERT INTO "journal" VALUES(7,14,1795383001427,'workflow_errored',NULL,'{"error":{"name":"ValueError","message":"refused","traceback":"Traceback (most recent call last):\n  File \"entry.py\", line 32, in run\n    raise ValueError(\"refused\")\nValueError: refused"}}',NULL);
CREATE INDEX instances_by_wake ON instances (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX instances_by_status ON instances (workflow, status, created_at);
COMMIT;
PRAGMA application_id = 1667659622;
PRAGMA user_version = 1;
