// Follows a slot with npm's pg-logical-replication until COUNT rows were inserted, and ends.
// Usage: node follow.js FOLDER SLOT PUBLICATION COUNT each|none, where FOLDER is the path of the one in which that is
// installed. With "each" it acknowledges every message, as it does by default.
'use strict';

const { createRequire } = require('node:module');

const [folder, slot, publication, count, acknowledged] = process.argv.slice(2);
const { LogicalReplicationService, PgoutputPlugin } = createRequire(`${folder}/`)('pg-logical-replication');

const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
const service = new LogicalReplicationService(
  { host, port: Number(port), user, database },
  { acknowledge: { auto: acknowledged === 'each', timeoutSeconds: 10 } },
);
let seen = 0;
service.on('data', (lsn, message) => {
  if (message.tag === 'insert' && message.new.id !== undefined && ++seen === Number(count)) process.exit(0);
});
const failed = (failure) => {
  console.error(failure);
  process.exit(1);
};
service.on('error', failed);
service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] }), slot).catch(failed);
