/** A processor that a queue runs in another process. */
module.exports = async (job) => {
  if (job.data.fails) throw new RangeError('too far');
  return Object.keys(job.opts);
};
