"""What flyctl says it failed to run when the GraphQL API refuses: recorded texts, which scripts may match on."""

_COMPACT_FIELDS = (
    "id internalNumericId name hostname cnameTarget deployed network status appUrl platformVersion "
    "organization { id internalNumericId slug paidPlan } postgresAppRole: role { name }"
)
APP_COMPACT = f"failed to run query ($appName: String!) {{ appcompact:app(name: $appName) {{ {_COMPACT_FIELDS} }} }}"
APP_FULL = (
    "failed to run query ($appName: String!) { app(name: $appName) { id internalNumericId name hostname deployed "
    "status version appUrl platformVersion currentRelease { evaluationId status inProgress version } "
    "config { definition } organization { id slug paidPlan } "
    "services { description protocol internalPort ports { port handlers } } "
    "ipAddresses { nodes { id address type createdAt } } sharedIpAddress cnameTarget "
    "imageDetails { registry repository tag digest version } "
    "machines{ nodes { id name config state region createdAt app { name } "
    "ips { nodes { family kind ip maskSize } } host { id } } } postgresAppRole: role { name } } }"
)
APP_ADDRESSES = (
    "failed to run query ($appName: String!) { app(name: $appName) { ipAddresses { nodes { id address type region "
    "createdAt network { name organization { slug } } serviceName } } sharedIpAddress } }"
)
APP_RELEASES = (
    "failed to run query($appName: String!, $limit: Int!) { app(name: $appName) { releases: releasesUnprocessed(first: "
    "$limit) { nodes { id version description reason status imageRef stable user { id email name } createdAt } } } }"
)
APP_LIST = (
    'failed to run query($org: ID, $after: String) { apps(type: "container", first: 200, after: $after, '
    "organizationId: $org) { pageInfo { hasNextPage endCursor } nodes { id name deployed hostname platformVersion "
    "network organization { slug name } currentRelease { createdAt status } status } } }"
)
ALLOCATE_ADDRESS = (
    "failed to run mutation($input: AllocateIPAddressInput!) { allocateIpAddress(input: $input) { ipAddress { id "
    "address type region createdAt } } }"
)
