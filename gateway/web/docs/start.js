// Shows the OpenAPI document of this gateway with Swagger UI, which asks nobody else.
SwaggerUIBundle({
  url: "openapi.json",
  domNode: document.querySelector("#viewer"),
  deepLinking: true,
  validatorUrl: null,
});
