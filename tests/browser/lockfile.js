// Leaves in package-lock.json what `npm ci` needs: versions and hashes, but nobody's address.
const { readFileSync, writeFileSync } = require("node:fs");
const file = `${__dirname}/package-lock.json`;
const lock = JSON.parse(readFileSync(file, "utf-8"));
for (const one of Object.values(lock.packages)) {
  delete one.funding;
  delete one.resolved;
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
