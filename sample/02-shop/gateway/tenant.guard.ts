import type { IncomingMessage } from 'node:http';
import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';

@Injectable()
export class TenantGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const { headers } = execution.switchToHttp().getRequest<IncomingMessage>();
    if (!headers['x-tenant-id']) throw new UnauthorizedException('The header x-tenant-id is missing');
    return true;
  }
}
