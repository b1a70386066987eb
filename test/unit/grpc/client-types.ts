/** Code with clients that the compiler has to accept or to reject: `npm run types` checks this file. */
import {
  credentials,
  loadPackageDefinition,
  type Client,
  type ClientOptions,
  type Interceptor,
  type InterceptorProvider,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ClientProxyFactory, ClientsModule, Transport, type GrpcOptions } from '@nestjs/microservices';
import { grpcTracingInterceptor, tracedGrpcOptions, type GrpcTracingInterceptor } from 'nestjs-tracing';

export const interceptor: Interceptor = grpcTracingInterceptor();
export const configured: Interceptor = grpcTracingInterceptor({ ignore: 'shop.*', messageEvents: true });
export const inOptions: ClientOptions = { interceptors: [grpcTracingInterceptor(), interceptor] };
export const provider: InterceptorProvider = () => grpcTracingInterceptor();
export const named: GrpcTracingInterceptor = grpcTracingInterceptor();

declare const definition: PackageDefinition;
const Orders = loadPackageDefinition(definition).Orders as ServiceClientConstructor;
export const client: Client = new Orders('localhost:50051', credentials.createInsecure(), {
  interceptors: [grpcTracingInterceptor()],
});

const options = { package: 'shop', protoPath: 'shop.proto', url: 'localhost:50051' };
export const traced: GrpcOptions['options'] = tracedGrpcOptions(options);
export const kept: string = tracedGrpcOptions(options).package;
export const nestClient = ClientProxyFactory.create({
  transport: Transport.GRPC,
  options: tracedGrpcOptions({ ...options, channelOptions: { 'grpc.max_metadata_size': 1 } }, { messageEvents: true }),
});
export const module = ClientsModule.register([
  { name: 'ORDERS', transport: Transport.GRPC, options: tracedGrpcOptions(options) },
]);

// @ts-expect-error there is no such option
grpcTracingInterceptor({ ignored: 'shop.*' });

// @ts-expect-error there is no such option
tracedGrpcOptions(options, { messages: true });

// @ts-expect-error a method is named by a text or a pattern
grpcTracingInterceptor({ ignore: 7 });
