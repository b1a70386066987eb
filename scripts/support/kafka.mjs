import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './cache.mjs';
import { findPrograms } from './programs.mjs';

/** Runs on Java 17 and later. */
const VERSION = '4.1.1';

const PROJECT = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>nestjs-tracing</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/**
 * Returns the path of Java, and the folder with the classes of Kafka, which Maven downloads into the cache once: 43 MB in half a minute.
 *
 * @throws Error that tells what is missing
 */
export function findKafka() {
  const { java } = findPrograms('Java 17', 'default-jre-headless', ['java']);
  const libraries = join(cache, `kafka-${VERSION}`);
  if (!existsSync(libraries)) download(libraries);
  return { java, libraries };
}

function download(target) {
  const { mvn } = findPrograms('Maven, which downloads Kafka,', 'maven', ['mvn']);
  console.log(`Downloading Kafka ${VERSION} into ${target}. This is done only once.`);
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'kafka-download-'));
  try {
    writeFileSync(join(folder, 'pom.xml'), PROJECT);
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    const args = ['--batch-mode', '--quiet', goal, '-DoutputDirectory=libraries', '-DincludeScope=runtime'];
    const { error, status, stdout, stderr } = spawnSync(mvn, args, { cwd: folder, encoding: 'utf8' });
    if (error) throw error;
    if (status !== 0) throw new Error(`Maven could not download Kafka ${VERSION}:\n${stdout}${stderr}`);
    renameSync(join(folder, 'libraries'), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
