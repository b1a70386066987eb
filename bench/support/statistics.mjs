/** The value below which a fraction of the numbers lies, interpolated between two numbers. */
export function quantile(numbers, fraction) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}

export function median(numbers) {
  return quantile(numbers, 0.5);
}

/** Median and interquartile range. */
export function summary(numbers) {
  const known = numbers.filter((number) => Number.isFinite(number));
  if (known.length === 0) return undefined;
  return { median: median(known), low: quantile(known, 0.25), high: quantile(known, 0.75), count: known.length };
}

export function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
