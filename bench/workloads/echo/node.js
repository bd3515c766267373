'use strict';
const net = require('net');

const server = net.createServer({ noDelay: true }, (connection) => {
    connection.on('data', (data) => connection.write(data));
    connection.on('error', () => {});
});
server.listen(0, '127.0.0.1', 1024, () => console.log(`port=${server.address().port}`));
