import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { Pool } from 'pg';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS products (sku text PRIMARY KEY, price integer NOT NULL);
  CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, total integer NOT NULL);
  CREATE TABLE IF NOT EXISTS order_items (order_id text NOT NULL REFERENCES orders, sku text NOT NULL, quantity integer NOT NULL);
  INSERT INTO products VALUES ('book', 12), ('pen', 2), ('piano', 4200) ON CONFLICT DO NOTHING;
`;

/** A pool of connections to PostgreSQL. */
@Injectable()
export class Database extends Pool implements OnModuleInit, OnApplicationShutdown {
  constructor(config: ConfigService) {
    super({
      connectionString: config.get('DATABASE_URL', 'postgres://postgres@127.0.0.1:5432/postgres'),
      max: Number(config.get('DATABASE_CONNECTIONS', 10)),
    });
    // The pool replaces an idle connection that breaks.
    this.on('error', () => {});
  }

  async onModuleInit(): Promise<void> {
    await this.query(SCHEMA);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.end();
  }
}
