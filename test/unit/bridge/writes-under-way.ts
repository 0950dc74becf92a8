import type { Db } from '../../../src/store/sqlite/db.ts';

/** Tells whether writes of this database are still on their way to the disk: a virtual clock has to wait for them. */
export function writesUnderWay(db: Db): () => boolean {
  let count = 0;
  const write = db.write.bind(db);
  db.write = async (work) => {
    count += 1;
    try {
      return await write(work);
    } finally {
      count -= 1;
    }
  };
  return () => count > 0;
}
