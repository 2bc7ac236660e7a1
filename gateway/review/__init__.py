"""What a coordinator reviews mappings with: differences by meaning, a basket of acts, a site of pages."""
