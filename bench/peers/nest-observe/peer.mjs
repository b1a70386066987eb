export const setups = [
  { id: 'nest-observe', title: '@nestjs/observe', setup: 'nest-observe', settle: 2_200, packages: ['@nestjs/observe'] },
];
