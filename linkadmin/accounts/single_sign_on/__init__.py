"""Single sign-on with OpenID Connect: staff sign in at the company's identity provider, which decides their roles."""
