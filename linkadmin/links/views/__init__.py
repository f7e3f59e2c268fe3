"""Pages of links and customers. Views of one link start with `access.link_for`; open pages poll `live`."""
