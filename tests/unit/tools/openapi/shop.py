"""An API's document in both versions, with what documents of others have in them."""

SHOP = """
openapi: 3.0.3
info: {title: Shop, version: '1'}
servers: [{url: 'https://{region}.shop.example/v1', variables: {region: {default: eu}}}]
security: [{token: []}]
paths:
  /orders:
    parameters: [{$ref: '#/components/parameters/Trace'}]
    get:
      operationId: listOrders
      summary: List orders
      description: Newest first.
      parameters:
        - {name: status, in: query, schema: {type: array, items: {type: string, enum: [open, paid]}}}
        - {name: tags, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: filter, in: query, style: deepObject, schema: {type: object, properties: {city: {type: string}}}}
        - {name: 'page[size]', in: query, schema: {type: integer, minimum: 0, exclusiveMinimum: true, maximum: 100}}
        - {name: Authorization, in: header, schema: {type: string}}
        - {name: theme, in: cookie, schema: {type: string}}
    post:
      operationId: createOrder
      parameters: [{name: Idempotency-Key, in: header, required: true, schema: {type: string}}]
      requestBody:
        required: true
        content:
          application/json; charset=utf-8: {schema: {$ref: '#/components/schemas/Order'}}
  /orders/{order_id}:
    parameters: [{name: order_id, in: path, required: true, schema: {type: string}, description: its number}]
    get: {operationId: getOrder, security: [{basic: []}]}
    delete: {operationId: deleteOrder, security: [{key: []}]}
    patch:
      operationId: changeOrder
      security: []
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object}}}}
  /files:
    post: {operationId: upload, requestBody: {required: true, content: {multipart/form-data: {schema: {type: object}}}}}
    get: {operationId: cookies, parameters: [{name: c, in: cookie, required: true, schema: {type: string}}]}
  /broken/{a}/{b}:
    get: {operationId: broken, parameters: [{name: a, in: path, required: true, schema: {type: string}}]}
  /odd:
    put: {operationId: mutual, security: [{mtls: []}]}
    head: {operationId: elsewhere, parameters: [{$ref: 'other.yaml#/x'}]}
    delete: {operationId: lost, parameters: [{$ref: '#/components/parameters/None'}]}
    options: {operationId: around, parameters: [{$ref: '#/components/parameters/Round'}]}
components:
  parameters:
    Trace: {name: X-Trace, in: header, schema: {type: string}}
    Round: {$ref: '#/components/parameters/Round'}
  securitySchemes:
    token: {type: http, scheme: bearer}
    basic: {type: http, scheme: Basic}
    key: {type: apiKey, in: header, name: X-Api-Key}
    mtls: {type: mutualTLS}
  schemas:
    Order:
      type: object
      required: [id, customer, lines]
      properties:
        id: {type: string, readOnly: true}
        customer: {type: string, nullable: true, example: Ann}
        total: {type: number, format: double}
        when: {type: string, format: date-time}
        lines: {type: array, minItems: 1, items: {$ref: '#/components/schemas/Line'}}
        parent: {$ref: '#/components/schemas/Order'}
        size: {type: string, enum: [s, m], nullable: true}
    Line:
      allOf:
        - {type: object, required: [item], properties: {item: {type: string}}}
        - {type: object, properties: {count: {type: integer, format: int64, default: 1}}}
"""
