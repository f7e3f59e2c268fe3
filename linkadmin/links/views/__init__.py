"""Pages of links and customers. Each view of one link starts with access.link_for; live is what open pages poll."""
